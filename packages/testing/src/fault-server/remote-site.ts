import type { Fault, SeenRequest } from './fault.ts';

/**
 * What a page asks of a fault server for its own folder: files (base64), faults (`null`: none), a bandwidth in bytes a
 * second for all answers together (`null`: no limit), its end.
 *
 * @internal
 */
export interface SiteOrder {
  readonly files?: Readonly<Record<string, string>>;
  readonly faults?: Readonly<Record<string, readonly (Fault | null)[]>>;
  readonly bytesPerSecond?: number | null;
  readonly remove?: boolean;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/**
 * A folder on a fault server that runs elsewhere, set up and looked at by a page or a worker.
 *
 * @internal
 */
export class RemoteSite implements AsyncDisposable {
  /** The folder's URL, ending in `/`. */
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  /**
   * @param server - the fault server's URL
   * @param files - contents by path
   */
  static async create(server: string, files: ReadonlyMap<string, Uint8Array>): Promise<RemoteSite> {
    const site = new RemoteSite(`${server}sites/${crypto.randomUUID()}/`);
    await site.#order({ files: Object.fromEntries([...files].map(([path, bytes]) => [path, base64(bytes)])) });
    return site;
  }

  /** Sets what is wrong from now on, in place of what was: by path, with each request in turn, the last for good. */
  setFaults(faults: NonNullable<SiteOrder['faults']>): Promise<void> {
    return this.#order({ faults });
  }

  /** Sets how many bytes a second all answers have together; null: as many as go. */
  setBandwidth(bytesPerSecond: number | null): Promise<void> {
    return this.#order({ bytesPerSecond });
  }

  /** Every request so far. */
  async requests(): Promise<readonly SeenRequest[]> {
    return (await fetch(`${this.url}~order`)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#order({ remove: true });
  }

  async #order(order: SiteOrder): Promise<void> {
    const answer = await fetch(`${this.url}~order`, { method: 'POST', body: JSON.stringify(order) });
    if (!answer.ok) throw new Error(`The fault server answered ${answer.status}`);
  }
}
