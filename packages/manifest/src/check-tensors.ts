import type { Fail } from './fail.ts';
import type { Manifest, TensorRef } from './schema.ts';
import { BLOCK, own, tensorBytes } from './sizes.ts';

function checkPieces(manifest: Manifest, path: string, tensor: TensorRef, fail: Fail): void {
  let bytes = 0;
  for (const [i, piece] of tensor.pieces.entries()) {
    const at = `${path}.pieces.${i}`;
    const blob = manifest.blobs[piece.blob];
    if (blob === undefined) fail(`${at}.blob`, `is ${piece.blob}, but there are ${manifest.blobs.length} blobs`);
    if (blob.module !== tensor.module) {
      fail(`${at}.blob`, `is a blob of module "${blob.module}", but the tensor belongs to "${tensor.module}"`);
    }
    if (piece.offset + piece.bytes > blob.bytes) {
      fail(at, `ends at byte ${piece.offset + piece.bytes}, but its blob has ${blob.bytes}`);
    }
    bytes += piece.bytes;
  }
  const wanted = tensorBytes(tensor.dtype, tensor.shape);
  if (bytes !== wanted) {
    fail(`${path}.pieces`, `hold ${bytes} bytes, but ${tensor.dtype} [${tensor.shape.join(', ')}] has ${wanted}`);
  }
}

/** The scheme that numbers of a type are read by; floats have none. */
const SCHEMES = { float32: undefined, float16: undefined, int8: 'symmetric', uint4: 'blocks' } as const;

/** The shape of the scales that a tensor wants. */
function scalesShape(path: string, { shape, quantisation }: TensorRef, fail: Fail): readonly number[] {
  if (quantisation?.scheme !== 'symmetric') return shape.slice(0, -1);
  const channels = shape[quantisation.axis];
  if (channels !== undefined) return [channels];
  return fail(`${path}.quantisation.axis`, `is ${quantisation.axis}, but the tensor has ${shape.length} axes`);
}

function checkScales(manifest: Manifest, path: string, tensor: TensorRef, fail: Fail): void {
  const { dtype, shape, quantisation } = tensor;
  if (dtype === 'uint4') {
    if (quantisation === undefined) fail(`${path}.quantisation`, 'is missing, but the tensor is uint4');
    if (shape.length !== 3 || shape[2] !== BLOCK) {
      fail(`${path}.shape`, `is [${shape.join(', ')}], but uint4 is [outputs, blocks, ${BLOCK}]`);
    }
  }
  if (quantisation === undefined) return;
  const { scheme, scales } = quantisation;
  if (SCHEMES[dtype] !== scheme) {
    fail(`${path}.quantisation`, `is for ${scheme === 'blocks' ? 'uint4' : 'int8'}, but the tensor is ${dtype}`);
  }
  const wanted = `${scheme === 'blocks' ? 'float16' : 'float32'} [${scalesShape(path, tensor, fail).join(', ')}]`;
  const spec = own(manifest.tensors, scales);
  if (spec === undefined) fail(`${path}.quantisation.scales`, `names "${scales}", which is no tensor`);
  const found = `${spec.dtype} [${spec.shape.join(', ')}]`;
  if (found !== wanted) fail(`${path}.quantisation.scales`, `names "${scales}", which is ${found}, not ${wanted}`);
}

/**
 * No byte of a blob is named twice: what tensors hold together is no more than what is downloaded, so that a small download
 * can't ask for a large memory.
 */
function checkSharing({ tensors }: Manifest, fail: Fail): void {
  const pieces = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor.pieces.map((piece, i) => ({ ...piece, path: `tensors.${name}.pieces.${i}` })),
  );
  pieces.sort((a, b) => a.blob - b.blob || a.offset - b.offset);
  for (const [i, piece] of pieces.entries()) {
    const before = pieces[i - 1];
    if (before?.blob === piece.blob && before.offset + before.bytes > piece.offset) {
      fail(piece.path, `names bytes of blobs.${piece.blob} from ${piece.offset} on that ${before.path} names too`);
    }
  }
}

/**
 * Blobs are listed once, no byte of them is named twice, and every tensor's pieces and scales are what its shape needs.
 *
 * @internal
 */
export function checkTensors(manifest: Manifest, fail: Fail): void {
  const seen = new Map<string, number>();
  for (const [i, { sha256 }] of manifest.blobs.entries()) {
    const first = seen.get(sha256);
    if (first !== undefined)
      fail(`blobs.${i}.sha256`, `is that of blobs.${first}; a blob is listed once, in one module`);
    seen.set(sha256, i);
  }
  for (const [name, tensor] of Object.entries(manifest.tensors)) {
    checkPieces(manifest, `tensors.${name}`, tensor, fail);
    checkScales(manifest, `tensors.${name}`, tensor, fail);
  }
  checkSharing(manifest, fail);
}
