// What every test may use beyond its package: `?url` imports and the like.
/// <reference types="vite/client" />
