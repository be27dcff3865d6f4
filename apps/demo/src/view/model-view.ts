import type { LoadProgress, LoadReport, OwletWarning } from '@owlet/client';
import { formatBytes, formatDuration, moduleLabel } from '../format.ts';
import { find, make } from './find.ts';

const state = find('model-state', HTMLElement);
const progress = find('model-progress', HTMLElement);
const all = find('progress-all', HTMLProgressElement);
const allLabel = find('progress-all-label', HTMLElement);
const modules = find('progress-modules', HTMLElement);
const plan = find('plan', HTMLDetailsElement);
const planList = find('plan-list', HTMLElement);
const warnings = find('warnings', HTMLElement);

const STATES: Readonly<Record<LoadProgress['stage'], string>> = {
  manifest: 'Looking at what there is to fetch…',
  download: 'Fetching the model…',
  compile: 'Getting it ready to run…',
  selfTest: 'Checking that it computes right…',
  ready: 'Ready',
};

/** The row of a module, made when the module is first heard of. */
function rowOf(module: string): { bar: HTMLProgressElement; bytes: HTMLElement } {
  const id = `progress-${module}`;
  const known = document.getElementById(id);
  const knownBytes = known?.parentElement?.querySelector('.bytes');
  if (known instanceof HTMLProgressElement && knownBytes instanceof HTMLElement) {
    return { bar: known, bytes: knownBytes };
  }
  const label = make('label', { text: moduleLabel(module) });
  label.htmlFor = id;
  const bytes = make('span', { className: 'bytes' });
  const bar = make('progress');
  bar.id = id;
  const row = make('li');
  row.append(label, bytes, bar);
  modules.append(row);
  return { bar, bytes };
}

function fill(bar: HTMLProgressElement, loaded: number, total: number): void {
  // Without a value the bar shows that something is going on, which is all that is known before the manifest.
  if (total === 0) {
    bar.removeAttribute('value');
  } else {
    bar.max = total;
    bar.value = loaded;
  }
}

/** Shows the panel as it is before anything is known. */
export function showLoadStart(): void {
  state.textContent = 'Starting…';
  progress.hidden = false;
  plan.hidden = true;
  warnings.hidden = true;
  warnings.replaceChildren();
  allLabel.textContent = 'For captions';
  modules.replaceChildren();
  fill(all, 0, 0);
}

/** Shows how far loading has come, altogether and by module. */
export function showProgress({ stage, loaded, total, modules: parts }: LoadProgress): void {
  state.textContent = STATES[stage];
  allLabel.textContent = total === 0 ? 'For captions' : `For captions: ${formatBytes(loaded)} of ${formatBytes(total)}`;
  fill(all, loaded, total);
  for (const part of parts) {
    const { bar, bytes } = rowOf(part.module);
    fill(bar, part.loaded, part.total);
    bytes.textContent = `${formatBytes(part.loaded)} of ${formatBytes(part.total)}`;
  }
}

/** In words, which devices the model runs on. */
function devicesOf({ plan: graphs }: LoadReport): string {
  const names = graphs.map(({ device, threads }) => {
    if (device === 'webgpu') return 'WebGPU';
    return threads === 1 ? 'WebAssembly, one thread' : `WebAssembly, ${threads} threads`;
  });
  return [...new Set(names)].join(' and ');
}

/** Where each graph runs and why; graphs of which the same is to be said share a line. */
function placesOf({ plan: graphs }: LoadReport): [string, string][] {
  const places = new Map<string, string[]>();
  for (const { graph, device, variant, threads, reason } of graphs) {
    const where = device === 'webgpu' ? 'WebGPU' : `WebAssembly (threads: ${threads})`;
    const place = `${where}, ${variant} weights. ${reason}`;
    places.set(place, [...(places.get(place) ?? []), graph]);
  }
  return [...places].map(([place, names]) => [names.join(', '), place]);
}

/** Shows that the model is loaded: what it is, where it runs and why, what loading came to. */
export function showReady(report: LoadReport): void {
  const { model, bytes, timings } = report;
  state.textContent = `${model.name} is ready, on ${devicesOf(report)}.`;
  progress.hidden = true;
  const entries: [string, string][] = [
    ['Licence of the model', model.licence],
    [
      'Fetched for captions',
      `${formatBytes(bytes.network)} from the server, ${formatBytes(bytes.store)} from this browser’s store`,
    ],
    ['Kept in', report.store === 'opfs' ? 'this browser’s private file system' : 'memory, until the page is closed'],
    ...(timings['total'] === undefined ? [] : [['Ready after', formatDuration(timings['total'])] as [string, string]]),
    ...placesOf(report),
  ];
  planList.replaceChildren(...entries.flatMap(([term, text]) => [make('dt', { text: term }), make('dd', { text })]));
  plan.hidden = false;
}

/** Adds a line on what works less well than it could. */
export function showWarning({ message }: OwletWarning): void {
  warnings.append(make('li', { text: message }));
  warnings.hidden = false;
}

/** Shows that there is no model. */
export function showNoModel(): void {
  state.textContent = 'Not loaded';
  progress.hidden = true;
  plan.hidden = true;
}
