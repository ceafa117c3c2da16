// All problems of a table of use cases, reported together.
import { runNest } from '../../dist/index.mjs';
import { AppModule, RankUseCase } from './app.mjs';
class Nobody {}
runNest(AppModule, {
  functions: { a: [Nobody, 'execute'], b: [RankUseCase, 'excute'], c: RankUseCase },
  nest: { logger: false },
});
