import { type BrokerConfig, layersOf, withDynamicConfigs } from "../../config/broker-config.ts";
import type { BrokerLayers } from "../../config/effective-values.ts";
import { type TopicSettings, topicSettings } from "../../config/topic-settings.ts";
import { configsOf } from "./metadata-image.ts";
import type { MetadataStore } from "./metadata-store.ts";

export interface LiveConfigOptions {
  /** What the node was started with. */
  readonly config: BrokerConfig;
  readonly metadata: MetadataStore;
  /** Largest batch that the journal takes as one entry. */
  readonly batchBytesMax: number;
}

/** The configs in force on this node: what it was started with, under what the cluster's metadata sets. */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  #current: BrokerConfig;

  constructor(options: LiveConfigOptions) {
    this.#options = options;
    this.#current = options.config;
  }

  /** As of the last refresh. */
  get current(): BrokerConfig {
    return this.#current;
  }

  /** The layers of broker configs, as the admin APIs show and change them. */
  layers(): BrokerLayers {
    const { config, metadata } = this.#options;
    const { image } = metadata;
    return layersOf(config, {
      perBroker: configsOf(image, "broker", String(config.nodeId)),
      clusterDefault: configsOf(image, "broker", ""),
    });
  }

  /** Takes over what the metadata says of brokers now. */
  refresh(): void {
    this.#current = withDynamicConfigs(this.#options.config, this.layers());
  }

  /** A topic's settings, no batch larger than the journal takes. */
  settingsOf(topic: string): TopicSettings {
    const { metadata, batchBytesMax } = this.#options;
    const settings = topicSettings(configsOf(metadata.image, "topic", topic), this.layers());
    return { ...settings, maxMessageBytes: Math.min(settings.maxMessageBytes, batchBytesMax) };
  }
}
