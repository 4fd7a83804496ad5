import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types of our operations, from the contract that the gateway keeps: an operation that it cannot answer does not build. */
const config: CodegenConfig = {
  schema: '../../../schema.graphql',
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
        scalars: { UUID: 'string', Date: 'string', DateTime: 'string', Decimal: 'string', BigInt: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
