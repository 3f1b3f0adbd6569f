// Wahook's alerts and dashboards as a monitoring mixin. The files in alerts/ and dashboards/ are written by
// `cargo xtask generate`; this one only puts names and addresses in.

// Replaces in every text, keys included, however deep.
local replaced(value, from, to) =
  if std.isString(value) then std.strReplace(value, from, to)
  else if std.isArray(value) then [replaced(item, from, to) for item in value]
  else if std.isObject(value) then {
    [std.strReplace(key, from, to)]: replaced(value[key], from, to)
    for key in std.objectFields(value)
  }
  else value;

local runbooks = 'https://github.com/wahook/wahook/blob/main/monitoring/runbooks';

{
  local config = self._config,
  local own(file) = replaced(file, runbooks, config.runbooks),

  _config+:: {
    // The WhatsAppWebhooks to alert about. Those whose own PrometheusRule is enabled need none of it.
    webhooks: [],
    // Alerts about the operator. Off, if the chart has made them.
    operator: true,
    // Where the runbooks are read.
    runbooks: runbooks,
  },

  prometheusAlerts+:: {
    groups+: (if config.operator then own(import 'alerts/operator.json').groups else []) + [
      group
      for webhook in config.webhooks
      for group in replaced(
        replaced(own(import 'alerts/webhook.json'), 'the-namespace-of-the-webhook', webhook.namespace),
        'the-name-of-the-webhook',
        webhook.name
      ).groups
    ],
  },

  prometheusRules+:: {},

  grafanaDashboards+:: {
    'wahook-slo.json': own(import 'dashboards/wahook-slo.json'),
    'wahook-receiver.json': own(import 'dashboards/wahook-receiver.json'),
    'wahook-fleet.json': own(import 'dashboards/wahook-fleet.json'),
  },
}
