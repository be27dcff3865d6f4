/** What becomes of a load where the browser lacks something: the runtime in the page, with other answers about it. */
import type { LoadReport, LoadRequest, Outcome } from '@owlet/protocol';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { expect, test } from 'vitest';
import type { BrowserEnvironment } from '../../src/environment.ts';
import type { Ort } from '../../src/ort.ts';
import { browserPlatform, type Platform } from '../../src/platform.ts';
import { Runtime } from '../../src/runtime.ts';
import { Page, patternPicture, tinyTokens, unwrap } from './harness.ts';

const limit = { timeout: 120_000 };

function pageOn(platform: Partial<Platform>): Page {
  return new Page(new Runtime({ ...browserPlatform, ...platform }, () => {}));
}

/** The browser as it is, but for this. */
function but(change: Partial<BrowserEnvironment>): Partial<Platform> {
  return { readEnvironment: async (askGpu) => ({ ...(await browserPlatform.readEnvironment(askGpu)), ...change }) };
}

async function captioned(platform: Partial<Platform>, request: Partial<LoadRequest>): Promise<LoadReport> {
  const page = pageOn(platform);
  const report = unwrap(await page.load({ tasks: ['caption'], ...request }));
  unwrap(await page.open(await patternPicture(8), 1));
  const { tokens, devices } = unwrap(await page.caption(1));
  expect(tokens.map(({ id }) => id)).toEqual(tinyTokens);
  expect(devices).toEqual(Object.fromEntries(report.plan.map(({ module, device }) => [module, device])));
  await page.close();
  return report;
}

const devicesOf = ({ plan }: LoadReport) => plan.map(({ device }) => device);
const codesOf = ({ warnings }: LoadReport) =>
  warnings.map(({ code }) => code).filter((code) => code !== 'STORE_FALLBACK');
const onGpu = Array(5).fill('webgpu');
const onWasm = Array(5).fill('wasm');

/** Sessions on WebGPU go through `tamper`. */
function tampered(
  tamper: (session: InferenceSession, names: readonly string[]) => InferenceSession,
): Partial<Platform> {
  return {
    async loadOrt(bundle, threads): Promise<Ort> {
      const ort = await browserPlatform.loadOrt(bundle, threads);
      const create = async (file: Uint8Array, options: InferenceSession.SessionOptions) => {
        const session = await ort.InferenceSession.create(file, options);
        const [provider] = options.executionProviders ?? [];
        return typeof provider === 'object' && provider.name === 'webgpu'
          ? tamper(session, session.outputNames)
          : session;
      };
      return { ...ort, InferenceSession: { create: create as Ort['InferenceSession']['create'] } };
    },
  };
}

test('no SIMD: a typed error before anything is fetched', async () => {
  let opened = 0;
  const onProgress = () => {
    opened += 1;
  };
  const outcome: Outcome<LoadReport> = await pageOn(but({ simd: false })).load({}, onProgress);
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'NO_WASM_SIMD', stage: 'start', object: 'WebAssembly SIMD' },
  });
  expect(opened).toBe(0);
});

test('this browser has what the tests of it expect', async () => {
  const environment = await browserPlatform.readEnvironment(true);
  expect(environment).toMatchObject({ isolated: true, simd: true, jspi: true });
  expect(environment.gpu).not.toHaveProperty('missing');
  // What every adapter has, by the specification.
  expect('missing' in environment.gpu ? 0 : environment.gpu.largestBuffer).toBeGreaterThanOrEqual(2 ** 27);
});

test('auto leaves a software adapter, with the reason', limit, async () => {
  const gpu = { vendor: 'google', architecture: 'swiftshader', fallback: true, largestBuffer: 2 ** 30 };
  const report = await captioned(but({ gpu }), { device: 'auto' });
  expect(devicesOf(report)).toEqual(onWasm);
  expect(report.plan[0]?.reason).toMatch(/google swiftshader\) is software.*1 thread, as asked for/);
  expect(codesOf(report)).toEqual([]);
});

test('not isolated: one thread and a warning', limit, async () => {
  const report = await captioned(but({ isolated: false }), { threads: 2 });
  expect(report.plan.map(({ threads }) => threads)).toEqual([1, 1, 1, 1, 1]);
  expect(codesOf(report)).toEqual(['NOT_ISOLATED']);
});

test('without JSPI the WASM-only bundle captions as well', limit, async () => {
  const report = await captioned(but({ jspi: false }), { device: 'auto' });
  expect(report.plan[0]?.reason).toMatch(/lacks JSPI/);
});

test('webgpu where there is none: WASM and a warning with the reason', limit, async () => {
  const none = await captioned(but({ gpu: { missing: 'this browser has no WebGPU' } }), { device: 'webgpu' });
  expect(devicesOf(none)).toEqual(onWasm);
  expect(codesOf(none)).toEqual(['DEVICE_FALLBACK']);
  expect(none.warnings.at(-1)?.message).toMatch(/this browser has no WebGPU/);
  const noDevice = await captioned(
    { requestDevice: async () => ({ missing: 'the driver is broken' }) },
    { device: 'webgpu' },
  );
  expect(devicesOf(noDevice)).toEqual(onWasm);
  expect(noDevice.warnings.at(-1)?.message).toMatch(/vision, universal, decoder on WASM.*the driver is broken/);
});

test('a tensor that the adapter has no buffer for: its module on WASM, the others on WebGPU', limit, async () => {
  const gpu = { vendor: 'acme', architecture: 'small', fallback: false, largestBuffer: 1535 };
  const report = await captioned(but({ gpu }), { device: 'auto' });
  expect(devicesOf(report)).toEqual(['wasm', 'wasm', 'webgpu', 'webgpu', 'webgpu']);
  expect(codesOf(report)).toEqual(['DEVICE_FALLBACK']);
  expect(report.warnings.at(-1)?.message).toMatch(/^vision on WASM .*vision\.frame has a tensor of 1 MB/);
});

test('webgpu, asked for, on whatever adapter there is: the caption of WASM, after a self-test', limit, async () => {
  const report = await captioned({}, { device: 'webgpu' });
  expect(devicesOf(report)).toEqual(onGpu);
  expect(report.plan.map(({ variant }) => variant)).toEqual(Array(5).fill('float32'));
  expect(report.timings['selfTest']).toBeGreaterThan(0);
  expect(codesOf(report)).toEqual([]);
});

test('beams on WebGPU are those of WASM: caches are reordered where they are', limit, async () => {
  const request = {
    kind: 'generate',
    task: 'answer',
    media: 1,
    texts: { question: 'what is on the grass' },
    search: { beams: 3, alternatives: 2, reference: true },
  } as const;
  const found = async (device: 'wasm' | 'webgpu') => {
    const page = pageOn({});
    unwrap(await page.load({ device, tasks: ['answer'] }));
    unwrap(await page.open(await patternPicture(8), 1));
    const best = unwrap(await page.run<'generate'>(request));
    await page.close();
    return [best, ...best.alternatives].map(({ tokens }) => tokens.map(({ id }) => id));
  };
  expect(await found('webgpu')).toEqual(await found('wasm'));
});

test('a module that computes wrong numbers on WebGPU moves to WASM, the others stay', limit, async () => {
  const wrong = tampered((session, names) => {
    if (!names.includes('memory')) return session;
    const run = session.run.bind(session);
    session.run = async (feeds: InferenceSession.FeedsType) => {
      const outputs = await run(feeds);
      const values = (outputs['memory'] as Tensor).data as Float32Array;
      values[3] = (values[3] ?? 0) + 0.1;
      return outputs;
    };
    return session;
  });
  const report = await captioned(wrong, { device: 'webgpu' });
  expect(devicesOf(report)).toEqual(['webgpu', 'webgpu', 'wasm', 'webgpu', 'webgpu']);
  expect(report.plan[2]).toMatchObject({
    variant: 'int8',
    reason: expect.stringMatching(/output memory differs .* by 0\.1/),
  });
  expect(codesOf(report)).toEqual(['DEVICE_FALLBACK']);
});

test('modules that fail on WebGPU, made or run, move to WASM', limit, async () => {
  const failing = tampered((session, names) => {
    if (names.includes('logits')) throw new Error('no memory for buffers');
    if (names.includes('visual')) session.run = () => Promise.reject(new Error('a shader is invalid'));
    return session;
  });
  const report = await captioned(failing, { device: 'webgpu' });
  expect(devicesOf(report)).toEqual(['wasm', 'wasm', 'webgpu', 'wasm', 'wasm']);
  expect(report.warnings.map(({ message }) => message).join()).toMatch(/no memory for buffers/);
  expect(report.warnings.map(({ message }) => message).join()).toMatch(/a shader is invalid/);
});

test('a store that is refused leaves memory, and a warning', limit, async () => {
  const refusing: Partial<Platform> = {
    openStore: (options) => browserPlatform.openStore({ ...options, root: () => Promise.reject(new Error('refused')) }),
  };
  const page = pageOn(refusing);
  const report = unwrap(await page.load({}));
  expect(report.store).toBe('memory');
  expect(report.warnings).toEqual([{ code: 'STORE_FALLBACK', message: expect.stringContaining('refused') }]);
});

test('a device lost after loading: a typed error that says so, and nothing hangs', limit, async () => {
  let device: { readonly lost: Promise<unknown>; destroy(): void } | undefined;
  const requestDevice = async () => {
    const requested = await browserPlatform.requestDevice();
    if (!('missing' in requested)) device = requested;
    return requested;
  };
  const page = pageOn({ requestDevice });
  expect(devicesOf(unwrap(await page.load({ device: 'webgpu', tasks: ['caption'] })))).toEqual(onGpu);
  unwrap(await page.open(await patternPicture(8), 1));
  device?.destroy();
  await device?.lost;
  const outcome = await page.caption(1);
  expect(outcome).toMatchObject({ ok: false, error: { code: 'RUN_FAILED', object: 'vision.frame' } });
  expect(outcome).toMatchObject({ error: { message: expect.stringContaining('device was lost') } });
});
