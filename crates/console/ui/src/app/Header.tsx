import { useState } from 'react';
import { useSetting } from '../gateway/demo';
import { signOut, type Me } from '../gateway/session';
import { RoleSwitch } from '../parts/SignIn';
import { words } from '../parts/format';
import { exploreLink } from './route';

/** Where one is, as whom, and the way elsewhere. */
export function Header({ me }: { me: Me }) {
  const graphiql = useSetting()?.graphiql;
  return (
    <header className="top">
      <a className="brand" href="#/">
        Aether Nexus
      </a>
      <nav aria-label="Pages">
        <a href="#/">Overview</a>
        <a href={exploreLink()}>Explore</a>
        {graphiql && (
          <a href="/graphiql" target="_blank" rel="noopener">
            GraphiQL
          </a>
        )}
      </nav>
      <div className="who">
        <span className="user">
          <strong>{me.user.name}</strong>
          <small className="quiet">
            {words(me.user.role ?? '')}
            {me.user.organization && ` · ${me.user.organization.name}`}
          </small>
        </span>
        <RoleSwitch email={me.user.email} />
        <ThemeSwitch />
        <button className="button" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'system');
  const next = { system: 'dark', dark: 'light', light: 'system' }[theme] ?? 'system';
  const become = () => {
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  return (
    <button className="button" onClick={become} aria-label={`Colors: ${theme}. Change to ${next}`}>
      {{ system: '◐', dark: '☾', light: '☀' }[theme]}
    </button>
  );
}
