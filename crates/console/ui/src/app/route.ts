import { useEffect } from 'react';
import { Store, useStore } from '../gateway/store';

/** What the page shows, by the fragment of its address; what stands behind its `?` is the page's own matter. */
export type Route =
  { page: 'overview' } | { page: 'workspace'; id: string } | { page: 'explore'; search: string } | { page: 'unknown' };

function parse(fragment: string): Route {
  const [path = '', search = ''] = divide(fragment.replace(/^#\/?/, ''), '?');
  const [first, id, ...rest] = path.split('/');
  if (!first) return { page: 'overview' };
  if (first === 'workspaces' && id && rest.length === 0) return { page: 'workspace', id };
  if (first === 'explore' && id === undefined) return { page: 'explore', search };
  return { page: 'unknown' };
}

/** A text before and behind the first of these. */
function divide(text: string, by: string) {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

const route = new Store(parse(location.hash));
addEventListener('hashchange', () => route.set(parse(location.hash)));

export const workspaceLink = (id: string) => `#/workspaces/${id}`;
export const exploreLink = (search = '') => (search ? `#/explore?${search}` : '#/explore');

export function useRoute() {
  const now = useStore(route);
  // Whoever follows a link is told where it leads, and reads from the top; a choice on a page leaves one where one is.
  useEffect(() => {
    const place = (of: Route) => (of.page === 'workspace' ? of.id : of.page);
    let before = place(route.get());
    const arrived = () => {
      if (place(route.get()) === before) return;
      before = place(route.get());
      scrollTo(0, 0);
      document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    };
    return route.subscribe(arrived);
  }, []);
  return now;
}
