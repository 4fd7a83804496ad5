import { Component, lazy, Suspense, useState, type ReactNode } from 'react';
import { session, signOut } from '../gateway/session';
import { useStore } from '../gateway/store';
import { Problem } from '../parts/Problem';
import { RoleSwitch, SignIn } from '../parts/SignIn';

// By far the largest part of the page: nobody waits for it before the sign-in form is there.
const Workbench = lazy(() => import('./Workbench'));

/** GraphiQL under a header that says who asks; the sign-in form until somebody has signed in. */
export function GraphiQLPage() {
  const me = useStore(session);
  const [tools, setTools] = useState<HTMLElement | null>(null);
  if (!me) return <SignIn />;
  const { name, email, role, organization } = me.user;
  return (
    <div className="graphiql-page">
      <header className="bar">
        <h1>
          <a href="/">Aether Nexus</a> <span>GraphiQL</span>
        </h1>
        <p className="who">
          <strong>{name}</strong>{' '}
          <span className="quiet">
            {role ? (ROLES[role] ?? role) : ''}
            {organization && ` · ${organization.name}`}
          </span>
        </p>
        <div className="tools" ref={setTools} />
        <RoleSwitch email={email} />
        <button className="button small" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <main>
        <Guard>
          <Suspense
            fallback={
              <p className="loading quiet" role="status">
                Loading GraphiQL…
              </p>
            }
          >
            <Workbench me={me} tools={tools} />
          </Suspense>
        </Guard>
      </main>
    </div>
  );
}

const ROLES: Record<string, string> = {
  CFO: 'CFO',
  FINANCE_MANAGER: 'Finance manager',
  ANALYST: 'Analyst',
  VIEWER: 'Viewer',
  ADMIN: 'Administrator',
};

/** Says so when GraphiQL could not be loaded, for instance because the gateway has stopped meanwhile. */
class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError = (error: unknown) => ({ error });

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="loading">
        <Problem error={this.state.error} retry={() => location.reload()} />
      </div>
    );
  }
}
