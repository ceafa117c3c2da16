/** One application for every version of NestJS, as its compiler leaves it: decorators applied by hand. */
module.exports = ({ Inject, Injectable, Module, Scope }) => {
  class Database {
    constructor() {
      console.log('database opened');
    }
    rows() {
      return [3, 1, 2];
    }
    onModuleDestroy() {
      console.log('database closed');
    }
  }
  Injectable()(Database);

  /** An untouched use case: it knows nothing of Gaur. */
  class RankUseCase {
    constructor(database) {
      this.database = database;
    }
    async execute(data) {
      if (data.region === 'xx') throw new Error('no such region');
      return this.database.rows().sort().slice(0, data.n);
    }
    async handle(job) {
      await job.progress(10);
      await job.log(`attempt ${job.attemptsMade + 1}`);
      if (job.data.broken) {
        job.discard();
        throw new Error(`${job.name} is broken`);
      }
      return [job.progress(), job.queue.name];
    }
    async forUser(params, userId) {
      return { params, userId };
    }
  }
  Injectable()(RankUseCase);
  Inject(Database)(RankUseCase, undefined, 0);

  class PerJob {
    constructor() {
      this.calls = 0;
    }
    execute(data, context) {
      this.calls += 1;
      context.progress(50);
      return { calls: this.calls, threads: context.threads };
    }
  }
  Injectable({ scope: Scope.REQUEST })(PerJob);

  class QueryModule {}
  Module({ providers: [Database, RankUseCase, PerJob] })(QueryModule);
  class AppModule {}
  Module({ imports: [QueryModule] })(AppModule);

  return { AppModule, Database, PerJob, RankUseCase };
};
