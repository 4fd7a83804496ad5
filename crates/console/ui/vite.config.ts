import { constants } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compression, defineAlgorithm } from 'vite-plugin-compression2';

// `npm run dev` serves the pages with what a gateway elsewhere answers.
const gateway = process.env.AETHER_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [
    react(),
    // Beside each file what browsers take; the gateway has both in it.
    compression({
      algorithms: [defineAlgorithm('brotliCompress', { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })],
    }),
  ],
  worker: { format: 'es' },
  build: {
    rollupOptions: {
      input: { console: 'index.html', graphiql: 'graphiql.html' },
      // GraphiQL's "use no memo" speaks to React's compiler, which is not used here.
      onwarn: (warning, warn) => (warning.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : warn(warning)),
    },
    // The policy of the pages lets nothing inline in, pictures neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000,
  },
  optimizeDeps: {
    // GraphiQL's workers are found only where they lie, and what they need is older than modules.
    exclude: ['graphiql/setup-workers/vite', '@graphiql/react/setup-workers/vite'],
    include: ['monaco-graphql > picomatch-browser', 'graphql-language-service > nullthrows'],
  },
  server: { proxy: { '/graphql': { target: gateway, ws: true }, '/console.json': gateway, '/exports': gateway } },
});
