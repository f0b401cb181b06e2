-- breaking: a daemon that knows only the computations of multi-assets would give all partitions the inputs of one.
comment on column steps.computation is
  'The index of the first step that one call computes together with this one: outputs of a multi-asset, or partitions of one asset.';
