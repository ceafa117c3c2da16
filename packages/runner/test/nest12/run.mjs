import { runNest } from '../../dist/index.mjs';
runNest(() => import('./app.mjs'), {
  functions: async () => {
    const { PerJob, RankUseCase } = await import('./app.mjs');
    return {
      rank: [RankUseCase, 'execute'],
      forUser: [RankUseCase, 'forUser', (data) => [data.params, data.userId]],
      perJob: [PerJob, 'execute'],
    };
  },
  nest: { logger: ['error'] },
  onBoot: (app) => console.log(`booted ${typeof app.get}`),
});
