import { lazy, Suspense } from 'react';
import { Provider } from 'urql';
import { client } from '../gateway/client';
import { session, type Me } from '../gateway/session';
import { useStore } from '../gateway/store';
import { SignIn } from '../parts/SignIn';
import { Overview } from '../overview/Overview';
import { ConnectionBar } from './ConnectionBar';
import { Header } from './Header';
import { useRoute } from './route';
import { Toasts } from './Toasts';

// Drawing graphs is a large part, and only workspaces need it; so is asking questions.
const Workspace = lazy(() => import('../workspace/Workspace'));
const Explore = lazy(() => import('../explore/Explore'));

export function App() {
  const me = useStore(session);
  if (!me) return <SignIn />;
  // Another session is another page: nothing that was read for somebody else stays.
  return (
    <Provider value={client} key={me.sessionId}>
      <Signed me={me} />
    </Provider>
  );
}

function Signed({ me }: { me: Me }) {
  const route = useRoute();
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>('main')?.focus();
        }}
      >
        Skip to content
      </a>
      <Header me={me} />
      <ConnectionBar />
      <main id="main" tabIndex={-1} className="page">
        {route.page === 'overview' && <Overview me={me} />}
        <Suspense
          fallback={
            <p className="quiet" role="status">
              Loading…
            </p>
          }
        >
          {route.page === 'workspace' && <Workspace id={route.id} key={route.id} />}
          {route.page === 'explore' && <Explore me={me} search={route.search} />}
        </Suspense>
        {route.page === 'unknown' && (
          <p>
            There is nothing here. <a href="#/">To the overview</a>
          </p>
        )}
      </main>
      <Toasts me={me} />
    </>
  );
}
