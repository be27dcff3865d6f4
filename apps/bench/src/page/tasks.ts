/** A page that does with Owlet what the benches ask of its tasks, and times it where it happens. */
import { loadOwlet, type Owlet } from '@owlet/client';
import { abort, abortAgain, undisturbed } from './abort.ts';
import { captionAll, captionEach } from './caption-many.ts';
import { watchLongTasks } from './long-tasks.ts';
import { seek } from './seek.ts';
import { Shelf } from './shelf.ts';
import { type AloneOrder, type TasksPage, TOLD, type Told } from './task-protocol.ts';
import { write } from './write.ts';

const shelf = new Shelf();
const longTasks = watchLongTasks();
let toldOf = 0;
let loaded: Owlet | undefined;

function owlet(): Owlet {
  if (loaded === undefined) throw new TypeError('The model has not been loaded');
  return loaded;
}

const photosOf = (photos: readonly number[]): Blob[] => photos.map((index) => shelf.of({ kind: 'photo', index }));

const page: TasksPage = {
  async load(options) {
    loaded = await loadOwlet(options);
    return loaded.report;
  },
  addPhotos: (urls) => shelf.addPhotos(urls),
  addCrops: (urls, crops, side) => shelf.addCrops(urls, crops, side),
  addClip: (order) => shelf.addClip(order),
  write: (subject, orders) => write(owlet(), shelf.of(subject), orders),
  captionEach: (photos) => captionEach(owlet(), photosOf(photos)),
  captionAll: (photos) => captionAll(owlet(), photosOf(photos)),
  seek: (clip, frames, rate, size) => seek(shelf.of({ kind: 'clip', index: clip }), frames, rate, size),
  undisturbed: (order) => undisturbed(owlet(), shelf, order),
  abort: (order) => abort(owlet(), shelf, order),
  abortAgain: (order) => abortAgain(owlet(), shelf, order),
  async longTasks() {
    const all = await longTasks();
    const untold = all.slice(toldOf);
    toldOf = all.length;
    return untold;
  },
};

Object.assign(globalThis, { owletBench: page });

async function tell(told: Told): Promise<void> {
  await fetch(TOLD + encodeURIComponent(JSON.stringify(told)));
}

async function goAlone({ photo, ...order }: AloneOrder): Promise<void> {
  // What starting the page has cost is not the model's.
  await page.longTasks();
  const { store } = await page.load({ ...order, device: 'wasm' });
  await tell({ done: 'ready', store, longTasks: await page.longTasks() });
  if (photo === undefined) return;
  const { url, steps } = photo;
  await page.addPhotos([url]);
  await page.write({ kind: 'photo', index: 0 }, [{ search: { minLength: steps, maxLength: steps } }]);
  await tell({ done: 'photo', store, longTasks: await page.longTasks() });
}

if (location.hash !== '') {
  const order = JSON.parse(decodeURIComponent(location.hash.slice(1))) as AloneOrder;
  goAlone(order).catch((error: unknown) => tell({ failed: String(error) }));
}
