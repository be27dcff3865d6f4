/** The Python environment of models/export: where it is, once `npm run export` (or its README) has made it. */
import { join } from 'node:path';
import { root } from './process.mjs';

/** The folder of exporter, training and evaluation. */
export const exporter = join(root, 'models', 'export');
export const venv = join(exporter, '.venv');
export const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
