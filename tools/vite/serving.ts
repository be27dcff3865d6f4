/** How pages are served in development, in preview and in tests: headers, and folders mounted beside the build. */
import sirv from 'sirv';
import type { Connect, Plugin } from 'vite';

/** Isolation, without which there is no SharedArrayBuffer and so only one thread of WebAssembly. */
export const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** What scripts, workers and pages may load: their own origin, and WebAssembly. */
const policy = {
  'default-src': "'self'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'img-src': "'self' blob: data:",
  'media-src': "'self' blob:",
  'connect-src': "'self'",
};

/** For pages only: onnxruntime's thread start, inside a worker, has no Trusted Types policy. */
const trustedTypes = "require-trusted-types-for 'script'; trusted-types owlet";

function text(directives: Record<string, string>): string {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}

/** Whether a request is for a page: by its path, since tools that fetch one send no `Sec-Fetch-Dest`. */
function isPage(url: string | undefined): boolean {
  const path = (url ?? '/').replace(/[?#].*$/, '');
  return path.endsWith('/') || path.endsWith('.html');
}

function sendHeaders(policyOf: (url: string | undefined) => string): Connect.NextHandleFunction {
  return (request, response, next) => {
    for (const [name, value] of Object.entries(isolationHeaders)) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policyOf(request.url));
    response.setHeader('X-Content-Type-Options', 'nosniff');
    next();
  };
}

/**
 * Sends the isolation headers and the content security policy with everything. In development the policy allows what
 * Vite's own client does (inline styles, its overlay); the built pages get the whole of it.
 */
export function securityHeaders(): Plugin {
  return {
    name: 'owlet:security-headers',
    configureServer({ middlewares }) {
      const relaxed = text({ ...policy, 'style-src': "'self' 'unsafe-inline'" });
      middlewares.use(sendHeaders(() => relaxed));
    },
    configurePreviewServer({ middlewares }) {
      const strict = text(policy);
      middlewares.use(sendHeaders((url) => (isPage(url) ? `${strict}; ${trustedTypes}` : strict)));
    },
  };
}

/**
 * Serves folders under paths, in development and in preview, with ranges and without caching what is on disk.
 *
 * @param folders from a path such as `/models/owlet-mini/` to an absolute folder
 */
export function mounts(folders: Readonly<Record<string, string>>): Plugin {
  const use = ({ middlewares }: { middlewares: Connect.Server }): void => {
    for (const [path, folder] of Object.entries(folders)) {
      middlewares.use(path, sirv(folder, { dev: true, etag: true, extensions: [] }));
    }
  };
  return { name: 'owlet:mounts', configureServer: use, configurePreviewServer: use };
}
