import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef, useState } from 'react';
import type { Me } from '../gateway/session';
import { examples, type Example } from './examples';

/** The examples for whoever is signed in now, each to be opened in a tab of its own: the tabs may be somebody else's, or changed. */
export function ExampleMenu({ me }: { me: Me }) {
  const editors = useGraphiQL(({ queryEditor, variableEditor }) => ({ queryEditor, variableEditor }));
  const actions = useGraphiQLActions();
  const [fitting, setFitting] = useState<Example[]>([]);
  const menu = useRef<HTMLDetailsElement>(null);

  // Somebody else may have signed in, for whom others fit.
  useEffect(() => {
    let isGone = false;
    void examples(me).then((fitting) => !isGone && setFitting(fitting));
    return () => void (isGone = true);
  }, [me]);

  function close() {
    menu.current?.removeAttribute('open');
    menu.current?.querySelector('summary')?.focus();
  }

  function open({ query, variables }: Example) {
    actions.addTab();
    editors.queryEditor?.setValue(query);
    editors.variableEditor?.setValue(variables ?? '');
    close();
  }

  return (
    <details
      ref={menu}
      className="menu"
      onKeyDown={(event) => event.key === 'Escape' && close()}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && menu.current?.removeAttribute('open')}
    >
      <summary className="button small">Examples</summary>
      <ul>
        {fitting.map((example) => (
          <li key={example.title}>
            <button onClick={() => open(example)} disabled={!editors.queryEditor}>
              {example.title}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
