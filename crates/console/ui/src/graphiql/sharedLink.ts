/** An operation as a link carries it, in the fragment, which no server sees. */
export interface Shared {
  query: string;
  variables?: string;
  operationName?: string;
}

/** The link that opens this operation in a tab of its own; of GraphiQL, wherever it is made. */
export function linkTo({ query, variables, operationName }: Shared, page = location.pathname): string {
  const parts = Object.entries({ query, variables, operationName }).filter(([, value]) => value?.trim());
  return `${location.origin}${page}#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')}`;
}

/** The operation that the address of the page carries, if it does. It is taken once: reloading does not open it again. */
export function takeLink(): Shared | null {
  // Not URLSearchParams, which would read the + of a query as a blank.
  const parts = new Map<string, string>();
  for (const part of location.hash.slice(1).split('&')) {
    const at = part.indexOf('=');
    if (at > 0) parts.set(part.slice(0, at), decode(part.slice(at + 1)));
  }
  const query = parts.get('query');
  if (!query) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return { query, variables: parts.get('variables'), operationName: parts.get('operationName') };
}

/** What was cut off on its way through a mail or a chat is shown as it came. */
function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
