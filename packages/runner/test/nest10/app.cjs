// A NestJS 10 application: CommonJS.
require('reflect-metadata');
module.exports = require('../nest_app.cjs')(require('@nestjs/common'));
