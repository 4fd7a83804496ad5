import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import { use } from 'react';
import { createPortal } from 'react-dom';
import type { Me } from '../gateway/session';
import { Editors } from './Editors';
import { ExampleMenu } from './ExampleMenu';
import { examples, type Example } from './examples';
import { fetcher } from './fetcher';
import { LinkButton } from './LinkButton';
import { storage } from './storage';
// Without graphiql/style.css, which has all of this again and its fonts as data: URLs, which the page's policy forbids.
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import './workbench.css';

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

let first: Promise<Example[] | undefined> | undefined;

/** Examples on the first visit, and from then on the user's own tabs. */
const firstTabs = (me: Me) =>
  (first ??= storage.getItem('graphiql:tabState') ? Promise.resolve(undefined) : examples(me));

/** GraphiQL itself, with what it needs; `tools` is where in the header its buttons go. */
export default function Workbench({ me, tools }: { me: Me; tools: HTMLElement | null }) {
  const defaultTabs = use(firstTabs(me));
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      storage={storage}
      defaultTabs={defaultTabs}
      shouldPersistHeaders={false}
      forcedTheme="system"
      defaultEditorToolsVisibility="variables"
      maxHistoryLength={50}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>{null}</GraphiQL.Logo>
      {tools &&
        createPortal(
          <>
            <ExampleMenu me={me} />
            <LinkButton />
          </>,
          tools,
        )}
      <Editors />
    </GraphiQL>
  );
}
