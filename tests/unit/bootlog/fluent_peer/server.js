// Copyright (c) 2026, diskless.ceph contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// node server.js '{"port": 0, "key": "…", "certificate": "FILE"}': print the port, and then each entry as JSON.
"use strict";
const fs = require("fs");
const { FluentServer } = require("@fluent-org/logger");

const { port, key, certificate } = JSON.parse(process.argv[2]);
const pem = certificate && fs.readFileSync(certificate);
const server = new FluentServer({
  listenOptions: { host: "127.0.0.1", port },
  security: key ? { serverHostname: "peer.example.org", sharedKey: key } : undefined,
  tlsOptions: pem ? { cert: pem, key: pem } : undefined,
});
const print = (value) => process.stdout.write(JSON.stringify(value) + "\n");
server.on("entry", (tag, time, record) => print([tag, String(time.epoch ?? time), String(time.nano ?? 0), record]));
server.listen().then(() => print(server.port));
