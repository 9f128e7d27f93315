# docker build -t millrace . && docker run -p 9092:9092 -v millrace:/var/lib/millrace \
#   -e MILLRACE_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092 millrace

# Compiled as npm pack compiles it (docs/decisions/0009-packed-form.md), with what package-lock.json pins.
FROM node:24-alpine AS build
WORKDIR /app
# The manifests first: dependencies stay cached while only sources change.
COPY package.json package-lock.json .npmrc ./
# Not "npm ci": the lock file need not name the optional packages of every platform.
RUN npm install --ignore-scripts
COPY . .
# Of the optional packages the native codecs stay; the Node that some of them bring is for glibc, and the image has one.
RUN PATH="$PWD/node_modules/.bin:$PATH" /usr/local/bin/node package/build.ts \
 && npm prune --omit=dev --ignore-scripts \
 && rm -rf node_modules/node-linux-* node_modules/node-darwin-* node_modules/node-bin-* node_modules/node-win-* \
    node_modules/.bin node_modules/.package-lock.json package/build.ts package/tsconfig*.json

FROM node:24-alpine
# npm and yarn have no use in a running broker, and are most of what scanners complain about.
RUN rm -rf /usr/local/lib/node_modules/npm /usr/local/bin/npm /usr/local/bin/npx /opt/yarn* /usr/local/bin/yarn* \
 && mkdir -p /var/lib/millrace /etc/millrace \
 && chown node:node /var/lib/millrace \
 && ln -s /app/package/millrace.js /usr/local/bin/millrace
# A file and not variables or flags: both are stronger, so that MILLRACE_... or a file in its place can say otherwise.
RUN printf '%s\n' \
    'listeners=PLAINTEXT://0.0.0.0:9092' \
    'log.dirs=/var/lib/millrace' \
    'millrace.http.listener=0.0.0.0:9644' > /etc/millrace/server.properties
COPY --from=build /app/package.json /app/LICENSE /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/package /app/package
ENV NODE_ENV=production
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
WORKDIR /var/lib/millrace
VOLUME /var/lib/millrace
EXPOSE 9092 9644
STOPSIGNAL SIGTERM
# Recovery after a crash takes time in proportion to the journal: hence the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9644/v1/status/ready"]
# The exec form: the broker itself is process 1 and gets the signals.
# The heap as in `npm start` (docs/decisions/0013-heap.md).
ENTRYPOINT ["node", "--max-semi-space-size=8", "--initial-old-space-size=64", "/app/package/millrace.js"]
CMD ["start", "--config", "/etc/millrace/server.properties"]
