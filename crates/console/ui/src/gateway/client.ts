import { authExchange } from '@urql/exchange-auth';
import { cacheExchange, Client, fetchExchange, type OperationContext } from '@urql/core';
import { accessToken, expiresSoon, refresh } from './session';

/** For what needs no session: signing in. */
export const PUBLIC: Partial<OperationContext> & { public: true } = { public: true, requestPolicy: 'network-only' };

const isPublic = (operation: { context: OperationContext }) => 'public' in operation.context;

/** The one client of queries and mutations; another one, that knows nothing, for whoever signs in next. */
export let client = make();

/** Forgets what was read: it was for somebody else's eyes. */
export const renewClient = () => void (client = make());

function make() {
  return new Client({
    url: new URL('/graphql', location.href).href,
    preferGetMethod: false,
    exchanges: [
      cacheExchange,
      authExchange((auth) =>
        Promise.resolve({
          addAuthToOperation(operation) {
            const token = accessToken();
            return token && !isPublic(operation)
              ? auth.appendHeaders(operation, { Authorization: `Bearer ${token}` })
              : operation;
          },
          willAuthError: (operation) => !isPublic(operation) && expiresSoon(),
          didAuthError: (error, operation) =>
            !isPublic(operation) &&
            accessToken() !== null &&
            error.graphQLErrors.some((one) => one.extensions.code === 'UNAUTHENTICATED'),
          async refreshAuth() {
            await refresh();
          },
        }),
      ),
      fetchExchange,
    ],
  });
}
