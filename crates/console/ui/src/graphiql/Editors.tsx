import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

const dark = matchMedia('(prefers-color-scheme: dark)');

/**
 * What GraphiQL does not let one say otherwise: long lines are wrapped, the editors follow the system
 * when it turns dark or light, and the tab that is open is in sight.
 */
export function Editors() {
  const editors = useGraphiQL(({ queryEditor, variableEditor, headerEditor, responseEditor }) => ({
    queryEditor,
    variableEditor,
    headerEditor,
    responseEditor,
  }));
  const tab = useGraphiQL(({ activeTabIndex }) => activeTabIndex);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    for (const editor of Object.values(editors))
      editor?.updateOptions({ wordWrap: 'on', wrappingIndent: 'indent', fontSize: 13.5 });
  }, [editors]);
  useEffect(() => {
    const follow = () => setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [setTheme]);
  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [tab]);
  return null;
}
