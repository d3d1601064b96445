"""GraphQL as somebody would write it who wants a mutation to look like something else."""

QUERIES = {
    "anonymous": "{ version }",
    "named": "query Version { version }",
    "several": "query A { version } query B { version }",
    "fragment": "query A { ...F } fragment F on Query { version }",
    "a word": "query A { version @include(if: true) } # mutation { launchRun }",
    "a string": '{ runOrError(runId: "mutation { x }") { __typename } }',
    "an alias": "{ mutation: version }",
    "a name": "query mutation { version }",
    "subscription": "subscription { locationStateChangeEvents { event { message } } }",
    "a field named so": "{ subscription }",
}

MUTATIONS = {
    "plain": "mutation { reloadWorkspace { __typename } }",
    "named": "mutation Query { reloadWorkspace { __typename } }",
    "named as another": "mutation query { reloadWorkspace { __typename } }",
    "aliased": "mutation { version: reloadWorkspace { __typename } }",
    "after a query": "query A { version } mutation B { reloadWorkspace { __typename } }",
    "before a query": "mutation B { reloadWorkspace { __typename } } query A { version }",
    "in a fragment": "mutation { ...F } fragment F on Mutation { reloadWorkspace { __typename } }",
    "in an inline fragment": "mutation { ... on Mutation { reloadWorkspace { __typename } } }",
    "commas and line breaks": ",,\n\ufeff mutation\n,{reloadWorkspace,{__typename}}",
    "carriage returns": "# a comment\rmutation { reloadWorkspace { __typename } }",
    "with directives": "mutation M @skip(if: false) { reloadWorkspace { __typename } }",
    "with variables": "mutation M($a: Int = 1) { reloadWorkspace { __typename } }",
}

NOT_UNDERSTOOD = {
    "empty": "",
    "a comment": "# nothing",
    "not GraphQL": "launchRun",
    "half a document": "mutation { reloadWorkspace",
    "a query and rubbish": "{ version } mutatio { reloadWorkspace { __typename } }",
    "only a fragment": "fragment F on Mutation { reloadWorkspace { __typename } }",
    "a schema": "schema { query: Mutation } query { version }",
    "an extension": "extend type Query { version: Int } query { version }",
    "too deep": "{ a " * 3000 + "}" * 3000,
    "too many tokens": "{ " + "a " * 30_000 + "}",
    "too long": "{ a } #" + "x" * 600_000,
}
