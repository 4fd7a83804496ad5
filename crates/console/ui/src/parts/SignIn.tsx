import { useState, type FormEvent } from 'react';
import { useSetting, type Account } from '../gateway/demo';
import { ended, signIn, type Credentials } from '../gateway/session';
import { useStore } from '../gateway/store';
import { Problem } from './Problem';

const NOBODY: Credentials = { email: '', password: '', organization: '', totp: '' };

/** The form that everybody signs in by, with the demo accounts at hand where demo data is loaded. */
export function SignIn() {
  const [credentials, setCredentials] = useState(NOBODY);
  const demo = useSetting()?.demo;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const why = useStore(ended);

  async function submit(chosen: Credentials) {
    setBusy(true);
    setError(null);
    try {
      await signIn({ ...chosen, totp: chosen.totp?.trim() || undefined });
    } catch (error) {
      setError(error);
      setBusy(false);
    }
  }

  const input = (name: keyof Credentials, label: string, type: string, autoComplete: string) => (
    <label className="field">
      <span>{label}</span>
      <input
        name={name}
        type={type}
        autoComplete={autoComplete}
        required={name !== 'totp'}
        value={credentials[name] ?? ''}
        onChange={(event) => setCredentials({ ...credentials, [name]: event.target.value })}
      />
    </label>
  );
  return (
    <main className="sign-in">
      <div>
        <form
          className="panel"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            void submit(credentials);
          }}
        >
          <h1>Aether Nexus</h1>
          <p className="quiet">Sign in to see what your organization and your workspaces are up to.</p>
          {why && (
            <p role="status">
              <strong>{why}</strong>
            </p>
          )}
          {input('email', 'E-mail', 'email', 'username')}
          {input('password', 'Password', 'password', 'current-password')}
          {input('organization', 'Organization', 'text', 'organization')}
          {input('totp', 'Code of the second factor, if you have one', 'text', 'one-time-code')}
          {error !== null && <Problem error={error} />}
          <button className="button main" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
        </form>
        {demo && (
          <section className="panel" aria-labelledby="demo">
            <h2 id="demo">Demo accounts</h2>
            <p className="quiet">
              One click signs you in. Open a second window as somebody else to see changes arrive.
            </p>
            <ul className="accounts">
              {demo.accounts.map((account) => (
                <li key={account.email}>
                  <button
                    type="button"
                    className="button"
                    disabled={busy}
                    onClick={() => void submit({ ...account, password: demo.password })}
                  >
                    <span>{account.role}</span>
                    <small>{account.email}</small>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </main>
  );
}

export function RoleSwitch({ email }: { email: string }) {
  const demo = useSetting()?.demo;
  const [error, setError] = useState<unknown>(null);
  if (!demo) return null;
  const become = (account: Account) =>
    signIn({ ...account, password: demo.password }).then(() => setError(null), setError);
  return (
    <>
      <label className="switch">
        <span className="hidden">Become another demo user</span>
        <select
          className="plain"
          value={email}
          onChange={(event) => {
            const account = demo.accounts.find((one) => one.email === event.target.value);
            if (account) void become(account);
          }}
        >
          {!demo.accounts.some((one) => one.email === email) && <option value={email}>{email}</option>}
          {demo.accounts.map((one) => (
            <option key={one.email} value={one.email}>
              {one.role} · {one.email}
            </option>
          ))}
        </select>
      </label>
      {error !== null && <Problem error={error} />}
    </>
  );
}
