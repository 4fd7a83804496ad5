import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef, useState } from 'react';
import { linkTo, takeLink } from './sharedLink';

/** Copies a link to the operation that is open, and opens those that the page's address carries. */
export function LinkButton() {
  const { queryEditor, variableEditor, operations, operationName } = useGraphiQL(
    ({ queryEditor, variableEditor, operations, operationName }) => ({
      queryEditor,
      variableEditor,
      operations,
      operationName,
    }),
  );
  const actions = useGraphiQLActions();
  const [said, setSaid] = useState('');
  const chosen = useRef<string>(undefined);

  useEffect(() => {
    if (!queryEditor || !variableEditor) return;
    const open = () => {
      const shared = takeLink();
      if (!shared) return;
      actions.addTab();
      queryEditor.setValue(shared.query);
      variableEditor.setValue(shared.variables ?? '');
      chosen.current = shared.operationName;
      setSaid('The link is open in a new tab.');
    };
    open();
    addEventListener('hashchange', open);
    return () => removeEventListener('hashchange', open);
  }, [queryEditor, variableEditor, actions]);

  // GraphiQL chooses the first operation of a text that is new to it.
  useEffect(() => {
    const name = chosen.current;
    if (!name || !operations?.some((one) => one.name?.value === name)) return;
    chosen.current = undefined;
    actions.setOperationName(name);
  }, [operations, actions]);

  async function copy() {
    const query = queryEditor?.getValue() ?? '';
    const link = linkTo({ query, variables: variableEditor?.getValue(), operationName });
    setSaid('');
    try {
      await navigator.clipboard.writeText(link);
      setSaid('The link is in the clipboard.');
    } catch {
      // Browsers give the clipboard only to pages over HTTPS and of this machine.
      history.replaceState(null, '', link);
      setSaid('The link is in the address bar.');
    }
  }

  return (
    <>
      <span className="said quiet" role="status">
        {said}
      </span>
      <button className="button small" disabled={!queryEditor} onClick={() => void copy()}>
        Copy link
      </button>
    </>
  );
}
