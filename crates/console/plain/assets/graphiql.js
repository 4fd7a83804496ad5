const signIn = `# 1. Sign in as a demo user, then put the accessToken into the Headers tab below:
#    {"Authorization": "Bearer …"}
mutation SignIn {
  login(email: "sarah.chen@aether-demo.com", password: "aether-demo", organization: "aether-demo") {
    accessToken
    refreshToken
    user { name role organization { name } }
  }
}
`;
const explore = `# 2. With the header set: a facility agreement, four levels deep.
query Workspace {
  workspaces(first: 1) {
    nodes {
      name
      amount
      currency
      graphState { integrityScore }
      clauses(first: 5) {
        totalCount
        nodes {
          title
          variables(first: 5) {
            nodes { label value baselineValue graphNodes { nodes { label hasDrift } } }
          }
        }
      }
      driftItems(filter: {status: {eq: UNRESOLVED}}, orderBy: [{field: SEVERITY}]) {
        nodes { title severity baselineValue currentValue currentModifiedByUser { name } }
      }
    }
  }
}
`;
const follow = `# 3. With the header set: tells of each change as it is committed. Run it, then change something in another window.
subscription Follow {
  events {
    topic
    kind
    changedFields
    at
    actor { name }
    node { __typename ... on Deal { name stage } ... on Budget { name status } ... on Variable { label value } }
  }
}
`;
const live = new URL('/graphql', location.href);
live.protocol = live.protocol.replace('http', 'ws');
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: '/graphql', subscriptionUrl: live.href }),
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
    defaultTabs: [signIn, explore, follow].map((query) =>
      query === signIn ? { query } : { query, headers: '{"Authorization": "Bearer "}' }),
  })
);
