/** Where GraphiQL keeps tabs and history: the browser's storage, but never the headers, for a token may be among them. */
export const storage = {
  getItem: (key: string) => localStorage.getItem(key),
  setItem: (key: string, value: string) => localStorage.setItem(key, KEPT.test(key) ? withoutHeaders(value) : value),
  removeItem: (key: string) => localStorage.removeItem(key),
  clear: () => GRAPHIQL().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return GRAPHIQL().length;
  },
};

const GRAPHIQL = () => Object.keys(localStorage).filter((key) => key.startsWith('graphiql:'));

/** GraphiQL leaves the headers out of the tabs by itself, but not out of the history. */
const KEPT = /:(queries|favorites|tabState)$/;

const withoutHeaders = (json: string) =>
  JSON.stringify(JSON.parse(json), (key, value: unknown) => (key === 'headers' && value ? null : value));
