#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/storage/object_store.h"

namespace playhead::table {

/// Moves the planned files to their final names. May be repeated after any failure: what is
/// published already stays, and a stray of an abandoned plan under a final name gives way unless a
/// snapshot of `tables` holds it. Errors: kDataCorrupt (a planned file is nowhere, or its name is
/// taken by a live one), those of the store.
Status PublishPlan(storage::ObjectStore& store, const catalog::Plan& plan,
                   const std::vector<catalog::TableState>& tables);

/// True when any final name of the plan exists.
Result<bool> IsAnyPublished(storage::ObjectStore& store, const catalog::Plan& plan);

/// Removes what stands under final names of a plan that will not commit, except live files.
Status Unpublish(storage::ObjectStore& store, const catalog::Plan& plan,
                 const std::vector<catalog::TableState>& tables);

}  // namespace playhead::table
