// The packages of this folder are installed by the benchmark alone, so that nobody else waits for them; what checks the
// types knows no more than that they are there.

declare module "protobufjs";
declare module "/packages/*";
