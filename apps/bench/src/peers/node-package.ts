/** Where onnxruntime-node comes from: 290 MB that only this bench wants, so that it is no dependency of the workspace. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OrtModule } from './caption.ts';

/**
 * The version that takes part: that of the workspace's onnxruntime-web.
 *
 * @internal
 */
export const VERSION = '1.30.0';

/** Below the repository's root, out of git's sight. */
const FOLDER = '.tools/peers';

const remedy = `in the repository's root, this brings it: npm install --prefix ${FOLDER} --ignore-scripts onnxruntime-node@${VERSION}`;

/**
 * Loads onnxruntime-node.
 *
 * @param root - absolute folder of the repository; the package is looked for below its `.tools/peers`
 * @returns the module, or why it can't be had, without any folder of this machine
 * @internal
 */
export function loadOrtNode(root = fileURLToPath(new URL('../../../..', import.meta.url))): OrtNode | MissingOrtNode {
  const requireHere = createRequire(join(root, FOLDER, 'none.js'));
  let version: string;
  try {
    ({ version } = requireHere('./node_modules/onnxruntime-node/package.json') as { version: string });
  } catch {
    return { missing: `${FOLDER} has no onnxruntime-node; ${remedy}` };
  }
  if (version !== VERSION) return { missing: `${FOLDER} has onnxruntime-node ${version}, not ${VERSION}; ${remedy}` };
  try {
    return { version, ort: requireHere('./node_modules/onnxruntime-node') as OrtModule };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { missing: `onnxruntime-node ${version} can't be loaded: ${reason.replaceAll(root, '')}` };
  }
}

/**
 * onnxruntime-node, loaded.
 *
 * @internal
 */
export interface OrtNode {
  readonly version: string;
  readonly ort: OrtModule;
}

/**
 * Why onnxruntime-node can't be had.
 *
 * @internal
 */
export interface MissingOrtNode {
  readonly missing: string;
}
