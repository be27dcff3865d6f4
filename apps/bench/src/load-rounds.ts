import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultSite } from '@owlet/testing/fault-server';
import type { BrowserContext, Page } from 'playwright-core';
import type { Bench } from './bench.ts';
import { type FineTuned, fineTuned } from './fine-tuned.ts';
import { within } from './limit.ts';
import type { LoadPage, StartOrder, StartPage, TimedDownload, TimedLoad, TimedStart } from './page/load-protocol.ts';
import { readFolder, Sites } from './sites.ts';
import { THREADS } from './task-page.ts';

/** A load beside a plain fetch of the same bytes. */
export interface ColdRound {
  readonly own: TimedDownload;
  /** In milliseconds. */
  readonly plain: number;
}

/** A load of what is stored beside onnxruntime-web's start with what is in memory. */
export interface WarmRound {
  readonly own: TimedLoad;
  readonly plain: TimedStart;
  /** Bytes of the model that the server handed out meanwhile. */
  readonly sent: number;
}

/** How a load is broken: the line is cut and a second later the page is reloaded, or the page is closed at once. */
export type BreakKind = 'cut' | 'closed';

/** A load that broke, and the one after it. */
export interface BrokenRound {
  readonly kind: BreakKind;
  /** Bytes that the server had handed out when it broke. */
  readonly before: number;
  /** Bytes that it handed out in both loads, less those of an unbroken one. */
  readonly again: number;
}

/** The page's global, in functions that run there. */
declare const owletBench: LoadPage & StartPage;

/** In milliseconds. */
const limits = { page: 60_000, call: 300_000 };

/** 100 Mbit/s, in bytes a second. */
export const LINE = 12_500_000;

const BREAK_AT = 0.9;
const BREAK_WAIT_MS = 1000;
const base = 'base';

/** What {@link LoadRounds.prepare} found out. */
interface Known {
  /** Paths of the files that a load for captions asks for, the manifest first. */
  readonly files: readonly string[];
  /** How long they are together. */
  readonly bytes: number;
}

/**
 * Loads of one model in one browser profile, one after the other, each on a page of its own.
 *
 * @internal
 */
export class LoadRounds {
  readonly #context: BrowserContext;
  readonly #bench: Bench;
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #site: FaultSite;
  #known: Known | undefined;

  /**
   * @param context - of a profile that is kept on the disk: the storage of others is in memory
   */
  constructor(bench: Bench, context: BrowserContext) {
    this.#bench = bench;
    this.#context = context;
    this.#files = readFolder(bench.model);
    this.#site = bench.sites.open(base, this.#files);
  }

  /** Length of what a load for captions asks for, the manifest included. */
  get bytes(): number {
    return this.#whole().bytes;
  }

  /** Loads once without a limit, so that all code has run, and learns what is asked for. */
  async prepare(): Promise<void> {
    await this.#forgetAll();
    this.#site.requests.length = 0;
    await this.#onPage((page) => this.#download(page, base));
    const files = this.#site.requests.map(({ path }) => path);
    this.#known = { files, bytes: this.#site.sent };
    await this.#onPage((page) => this.#fetchPlainly(page));
  }

  /** One load and one plain fetch, in the order of the round. */
  async cold(round: number, bytesPerSecond: number): Promise<ColdRound> {
    await this.#forgetAll();
    this.#site.bandwidth.bytesPerSecond = bytesPerSecond;
    try {
      const isOwnFirst = round % 2 === 0;
      let plain = isOwnFirst ? undefined : await this.#onPage((page) => this.#fetchPlainly(page));
      const own = await this.#onPage(async (page) => {
        const timed = await this.#download(page, base);
        const stored = await this.#run(
          'counting what is stored',
          page.evaluate(() => owletBench.stored()),
        );
        if (stored < timed.bytes) throw new Error(`Of ${timed.bytes} bytes only ${stored} are stored`);
        return timed;
      });
      if (own.fromStore > 0) throw new Error('Something was stored before a first load');
      plain ??= await this.#onPage((page) => this.#fetchPlainly(page));
      return { own, plain };
    } finally {
      this.#site.bandwidth.bytesPerSecond = Number.POSITIVE_INFINITY;
    }
  }

  /** A load to its end of whatever is stored. */
  load(): Promise<TimedLoad> {
    return this.#onPage((page) => {
      return this.#run(
        'loading',
        page.evaluate((order) => owletBench.load(order), this.#order(base)),
      );
    });
  }

  /** A start of onnxruntime-web alone. */
  start(graphs: StartOrder['graphs']): Promise<TimedStart> {
    const order = { graphs, threads: THREADS };
    return this.#onPage((page) => {
      return this.#run(
        'starting onnxruntime-web',
        page.evaluate((order) => owletBench.start(order), order),
      );
    }, 'start');
  }

  /** One later load and one plain start, in the order of the round. */
  async warm(round: number, graphs: StartOrder['graphs']): Promise<WarmRound> {
    this.#site.requests.length = 0;
    let plain = round % 2 === 0 ? undefined : await this.start(graphs);
    const own = await this.load();
    plain ??= await this.start(graphs);
    return { own, plain, sent: this.#site.sent };
  }

  /** Breaks a load when most of it has come, and loads again. */
  async broken(kind: BreakKind): Promise<BrokenRound> {
    await this.#forgetAll();
    this.#site.requests.length = 0;
    this.#site.bandwidth.bytesPerSecond = LINE;
    try {
      const before = await this.#onPage(async (page) => {
        const loading = this.#download(page, base).then(
          () => 'ended' as const,
          () => 'broken' as const,
        );
        while (this.#site.sent < BREAK_AT * this.bytes) await sleep(1);
        if (kind === 'cut') this.#site.cutAll();
        const sent = this.#site.sent;
        if (kind === 'closed') await page.close();
        else {
          await sleep(BREAK_WAIT_MS);
          await page.reload({ timeout: limits.page });
        }
        if ((await loading) === 'ended') throw new Error('The load ended before it could be broken');
        return sent;
      });
      this.#site.setFaults({});
      await this.#onPage((page) => this.#download(page, base));
      return { kind, before, again: this.#site.sent - this.bytes };
    } finally {
      this.#site.setFaults({});
      this.#site.bandwidth.bytesPerSecond = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Loads a model that differs from a stored one by one module.
   *
   * @returns what was asked for, and the blobs that differ
   */
  async tuned(module: string): Promise<{ readonly asked: readonly string[]; readonly changed: readonly string[] }> {
    await this.#onPage((page) => this.#download(page, base));
    const { files, changed }: FineTuned = fineTuned(this.#files, module);
    const site = this.#bench.sites.open('tuned', files);
    await this.#onPage((page) => this.#download(page, 'tuned'));
    return { asked: site.requests.map(({ path }) => path), changed };
  }

  /** Loads on two pages at once; gives the bytes that the server handed out. */
  async two(): Promise<number> {
    await this.#forgetAll();
    this.#site.requests.length = 0;
    this.#site.bandwidth.bytesPerSecond = LINE;
    try {
      const load = () => this.#onPage((page) => this.#download(page, base));
      await Promise.all([load(), load()]);
      return this.#site.sent;
    } finally {
      this.#site.bandwidth.bytesPerSecond = Number.POSITIVE_INFINITY;
    }
  }

  #whole(): Known {
    if (this.#known === undefined) throw new Error('Nothing has been loaded yet');
    return this.#known;
  }

  #order(site: string): { readonly model: string; readonly threads: number } {
    return { model: Sites.url(site), threads: THREADS };
  }

  #run<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(what, limits.call, promise);
  }

  #download(page: Page, site: string): Promise<TimedDownload> {
    return this.#run(
      'loading to the last byte',
      page.evaluate((order) => owletBench.download(order), this.#order(site)),
    );
  }

  #fetchPlainly(page: Page): Promise<number> {
    const urls = this.#whole().files.map((path) => Sites.url(base) + path);
    return this.#run(
      'fetching plainly',
      page.evaluate((list) => owletBench.fetchAll(list), urls),
    );
  }

  /** Empties the store. */
  async #forgetAll(): Promise<void> {
    await this.#onPage(async (page) => {
      for (const name of [base, 'tuned']) {
        const forgetting = page.evaluate((model) => owletBench.forget(model), Sites.url(name));
        await this.#run('emptying the store', forgetting);
      }
      const stored = await page.evaluate(() => owletBench.stored());
      if (stored > 0) throw new Error(`${stored} bytes are stored of models that were removed`);
    });
  }

  async #onPage<T>(work: (page: Page) => Promise<T>, name: 'load' | 'start' = 'load'): Promise<T> {
    const page = await this.#context.newPage();
    try {
      await page.goto(new URL(`bench/${name}.html`, this.#bench.pages).href, { timeout: limits.page });
      return await work(page);
    } finally {
      await page.close();
    }
  }
}
