import { useEffect, useState } from 'react';

/** What the gateway tells its pages about itself. */
export interface Setting {
  /** The accounts of the demo data, if it is loaded. */
  demo: { password: string; accounts: Account[] } | null;
  /** Whether GraphiQL is served. */
  graphiql: boolean;
}

export interface Account {
  email: string;
  organization: string;
  role: string;
}

let asked: Promise<Setting> | undefined;

export function setting(): Promise<Setting> {
  asked ??= fetch('/console.json').then((answer) => {
    if (!answer.ok) throw new Error(`The gateway answered ${answer.status}.`);
    return answer.json() as Promise<Setting>;
  });
  asked.catch(() => (asked = undefined));
  return asked;
}

/** The same for what is drawn; null until it is known. */
export function useSetting() {
  const [known, setKnown] = useState<Setting | null>(null);
  useEffect(() => void setting().then(setKnown, () => undefined), []);
  return known;
}
