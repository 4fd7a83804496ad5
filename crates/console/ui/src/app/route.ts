import { useEffect } from 'react';
import { Store, useStore } from '../gateway/store';

/** What the page shows, by the fragment of its address. */
export type Route = { page: 'overview' } | { page: 'workspace'; id: string } | { page: 'unknown' };

function parse(fragment: string): Route {
  const [first, id, ...rest] = fragment.replace(/^#\/?/, '').split('/');
  if (!first) return { page: 'overview' };
  if (first === 'workspaces' && id && rest.length === 0) return { page: 'workspace', id };
  return { page: 'unknown' };
}

const route = new Store(parse(location.hash));
addEventListener('hashchange', () => route.set(parse(location.hash)));

export const workspaceLink = (id: string) => `#/workspaces/${id}`;

export function useRoute() {
  const now = useStore(route);
  // Whoever follows a link is told where it leads, and reads from the top.
  useEffect(() => {
    const arrived = () => {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    };
    return route.subscribe(arrived);
  }, []);
  return now;
}
