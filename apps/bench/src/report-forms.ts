import type { FormsFile } from './forms-file.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import { type Summary, summarise, summariseRatios } from './statistics.ts';

/**
 * What a form of a graph took, in milliseconds.
 *
 * @internal
 */
export interface FormTimes {
  /** Sessions made. */
  readonly making: readonly number[];
  /** A run on average, by round. */
  readonly running: readonly number[];
  /** The least cosine of the angle between an output and float32's, in the browser. */
  readonly cosine: number;
}

/**
 * A graph in all its forms.
 *
 * @internal
 */
export interface GraphTimes {
  readonly graph: string;
  readonly module: string;
  /** How often it runs in the task. */
  readonly runs: number;
  readonly threads: number;
  /** Runs in a row in each form's turn of a round. */
  readonly repeats: number;
  readonly forms: Readonly<Record<string, FormTimes>>;
  /** What onnxruntime said, by the forms that it refused. */
  readonly refused: Readonly<Record<string, string>>;
}

/**
 * What a form of a module takes in the task, by round: its graphs' times, each as often as it runs.
 *
 * @returns undefined where one of the graphs was refused
 * @internal
 */
export function moduleTimes(graphs: readonly GraphTimes[], form: string): readonly number[] | undefined {
  let sums: readonly number[] | undefined;
  for (const { forms, runs } of graphs) {
    const times = forms[form];
    if (times === undefined) return undefined;
    sums = times.running.map((ms, round) => (sums?.[round] ?? 0) + ms * runs);
  }
  return sums;
}

function withQuartiles(summary: Summary): string {
  const [median = '', quartiles = ''] = summaryCells(summary);
  return `${median} (${quartiles})`;
}

function ratioTo(float32: readonly number[] | undefined, times: readonly number[] | undefined): Summary | undefined {
  return float32 && times && summariseRatios(times, float32);
}

function moduleTable(forms: readonly string[], graphs: readonly GraphTimes[]): string {
  const modules = [...new Set(graphs.map(({ module }) => module))];
  const rows = modules.map((module) => {
    const own = graphs.filter((graph) => graph.module === module);
    const float32 = moduleTimes(own, 'float32');
    const cells = forms.map((form) => {
      const times = moduleTimes(own, form);
      const ratio = ratioTo(float32, times);
      if (times === undefined || ratio === undefined) return 'refused';
      const ms = shown(summarise(times).median);
      return form === 'float32' ? withQuartiles(summarise(times)) : `${withQuartiles(ratio)}, ${ms} ms`;
    });
    return [module, own.map(({ graph, runs }) => (runs === 1 ? graph : `${runs} × ${graph}`)).join(', '), ...cells];
  });
  return table(['module', 'graphs', ...forms.map((form) => (form === 'float32' ? 'float32, ms' : form))], rows);
}

function graphTable({ graphs: files }: FormsFile, forms: readonly string[], graphs: readonly GraphTimes[]): string {
  const rows = graphs.flatMap(({ graph, forms: measured }) => {
    const bytes = files.find((file) => file.graph === graph)?.forms;
    return forms.map((form) => {
      const size = megabytes(bytes?.[form]?.bytes);
      const times = measured[form];
      if (times === undefined) return [graph, form, 'refused', '', '', '', '', size, ''];
      const ratio = ratioTo(measured['float32']?.running, times.running);
      const run = summaryCells(summarise(times.running));
      const cells = [ratio ? withQuartiles(ratio) : '–', withQuartiles(summarise(times.making)), size];
      return [graph, form, ...run, ...cells, times.cosine.toFixed(5)];
    });
  });
  const head = ['graph', 'form', 'a run, ms: median', 'quartiles', 'extremes', 'to float32', 'making a session, ms'];
  return table([...head, 'MB', 'cosine'], rows);
}

/** One entry per graph and message, whatever the number of threads. */
function refusals(graphs: readonly GraphTimes[]): string {
  const entries = graphs.flatMap(({ graph, refused }) => {
    return Object.entries(refused).map(
      ([form, message]) => `- ${graph}, ${form}: ${message.replace(/\s+/g, ' ').trim()}`,
    );
  });
  return entries.length === 0 ? 'None: every graph runs in every form.' : [...new Set(entries)].join('\n');
}

/**
 * The bench as a text to be read.
 *
 * @internal
 */
export function formsReport(file: FormsFile, graphs: readonly GraphTimes[]): string {
  const { checkpoint, task, notes } = file;
  const forms = Object.keys(notes);
  const threads = [...new Set(graphs.map((graph) => graph.threads))];
  const rounds = graphs[0]?.forms['float32']?.running.length ?? 0;
  const sections = threads.flatMap((count) => {
    const own = graphs.filter((graph) => graph.threads === count);
    const name = `${count} ${count === 1 ? 'thread' : 'threads'}`;
    return [`## Modules, ${name}`, moduleTable(forms, own), `### Graphs, ${name}`, graphTable(file, forms, own)];
  });
  return [
    '## Forms',
    `Checkpoint \`${checkpoint.name}\` (weights ${checkpoint.sha256.slice(0, 12)}), not the model above.`,
    forms.map((form) => `- ${form}: ${notes[form]}`).join('\n'),
    `${task} Times are of onnxruntime-web alone, with the options that Owlet takes. All forms of a graph are sessions in one worker; in each of ${rounds} rounds, in an order that turns, each has a turn of ` +
      'as many runs as fill some tens of milliseconds, behind one that isn’t counted. A module’s time is that of its graphs, each as often as it runs in the task; the word table’s is in text and decoder. ' +
      'Ratios are of the turns of one round: below 1 a form is faster than float32. MB are those of the graph and its weights as onnxruntime gets them (tensors that several graphs use count in each), ' +
      'not those of a download. The cosine is the least between an output and float32’s.',
    ...sections,
    '## Refused',
    refusals(graphs),
  ].join('\n\n');
}
