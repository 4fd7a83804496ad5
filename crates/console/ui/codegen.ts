import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types of our operations, from the contract that the gateway keeps: an operation that it cannot answer does not build. */
const config: CodegenConfig = {
  // A copy of this folder is built elsewhere: `build.rs` says from where the contract is read.
  schema: process.env.AETHER_SCHEMA ?? '../../../schema.graphql',
  documents: ['src/**/*.{ts,tsx}', '!src/gql/**', '!src/graphiql/**'],
  generates: {
    './src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        onlyOperationTypes: true,
        enumsAsTypes: true,
        useTypeImports: true,
        defaultScalarType: 'unknown',
        scalars: {
          UUID: 'string',
          Date: 'string',
          DateTime: 'string',
          Decimal: 'string',
          BigInt: 'string',
          JSON: 'unknown',
        },
      },
    },
  },
};

export default config;
