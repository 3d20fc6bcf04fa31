/** The page at /graphiql: GraphiQL with the example operations in its tabs, talking to the service that served it. */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './console.css';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { exampleTabs } from './example-tabs';
import { createFetcher } from './fetcher';

const fetcher = createFetcher(new URL('/graphql', window.location.href));

createRoot(document.getElementById('root')!).render(
  <GraphiQL fetcher={fetcher} defaultTabs={exampleTabs} defaultEditorToolsVisibility="variables">
    <GraphiQL.Logo>Riskvault</GraphiQL.Logo>
  </GraphiQL>,
);
