// What a receiver of deliveries finds out with the published library: verify SECRET FORMAT, the delivery as JSON on standard input.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const [secret, format] = process.argv.slice(2);
const { headers, body } = JSON.parse(readFileSync(0, "utf8"));
const webhook = new Webhook(secret, format === "raw" ? { format } : undefined);
const verdict = (headers, body) => {
  try {
    webhook.verify(body, headers);
    return "genuine";
  } catch (error) {
    return error.message;
  }
};
const old = { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 600) };
console.log(JSON.stringify([verdict(headers, body), verdict(headers, `${body} `), verdict(old, body)]));
