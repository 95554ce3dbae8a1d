-- Sends the requests of a file in turn, from a given one on, and prints what came of it as JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  requests = {}
  sent = -1 -- wrk asks for one request that it does not send
  first = tonumber(args[2])
  local file = assert(io.open(args[1], "rb"))
  local length = file:read("*l")
  while length do
    table.insert(requests, file:read(tonumber(length)))
    length = file:read("*l")
  end
  file:close()
end

function request()
  sent = sent + 1
  return requests[(first + sent) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '\n{"requests":%d,"seconds":%f,"failures":%d,"sent":%d,"latencyMs":{"median":%f,"p99":%f}}',
    summary.requests,
    summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    threads[1]:get("sent"),
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
