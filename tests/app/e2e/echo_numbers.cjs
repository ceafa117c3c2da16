// Answers with the doubles that it was given.
const { run } = require('../../../packages/runner');

run({ functions: { echo: ({ x }) => x.map((value) => [value]) } });
