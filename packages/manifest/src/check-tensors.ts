import type { Fail } from './fail.ts';
import type { Manifest, TensorRef } from './schema.ts';
import { elementBytes, elementCount, own } from './sizes.ts';

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
  const wanted = elementCount(tensor.shape) * elementBytes(tensor.dtype);
  if (bytes !== wanted) {
    fail(`${path}.pieces`, `hold ${bytes} bytes, but ${tensor.dtype} [${tensor.shape.join(', ')}] has ${wanted}`);
  }
}

function checkScales(manifest: Manifest, path: string, tensor: TensorRef, fail: Fail): void {
  if (tensor.quantisation === undefined) return;
  const { axis, scales } = tensor.quantisation;
  if (tensor.dtype !== 'int8') fail(`${path}.quantisation`, `is for int8, but the tensor is ${tensor.dtype}`);
  const channels = tensor.shape[axis];
  if (channels === undefined) {
    fail(`${path}.quantisation.axis`, `is ${axis}, but the tensor has ${tensor.shape.length} axes`);
  }
  const spec = own(manifest.tensors, scales);
  if (spec === undefined) fail(`${path}.quantisation.scales`, `names "${scales}", which is no tensor`);
  if (spec.dtype !== 'float32' || spec.shape.length !== 1 || spec.shape[0] !== channels) {
    const found = `${spec.dtype} [${spec.shape.join(', ')}]`;
    fail(`${path}.quantisation.scales`, `names "${scales}", which is ${found}, not float32 [${channels}]`);
  }
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
