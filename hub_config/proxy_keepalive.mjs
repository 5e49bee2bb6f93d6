// Loaded before configurable-http-proxy, which gives every upstream connection but those to unix sockets a pool
// that keeps it open. Without one the server closes right after its answer, and when it is faster than node's last,
// empty write of a request's body, the browser gets a 503 for a request that was served: a notebook "not saved".
import path from "node:path";
import { pathToFileURL } from "node:url";

const program = process.argv[1];
const library = path.join(path.dirname(program), "..", "lib", "configproxy.js");
const { ConfigurableProxy } = await import(pathToFileURL(library).href);

const stock = ConfigurableProxy.prototype.proxyOptsForTarget;
ConfigurableProxy.prototype.proxyOptsForTarget = function (target) {
  const options = stock.call(this, target);
  options.agent ??= this.httpAgent;
  return options;
};
