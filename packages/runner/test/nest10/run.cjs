const { bullJob, runNest } = require('../../dist/index.js');
const { AppModule, PerJob, RankUseCase } = require('./app.cjs');
runNest(AppModule, {
  functions: {
    rank: [RankUseCase, 'execute'],
    forUser: [RankUseCase, 'forUser', (data) => [data.params, data.userId]],
    handle: [RankUseCase, 'handle', (data, context) => [bullJob(context)]],
    perJob: [PerJob, 'execute'],
  },
});
