#pragma once

/// Names the mutex that guards a member: `int count_ PH_GUARDED_BY(mutex_) = 0;`. It is checked by
/// the reader; standard mutexes carry no annotations that a compiler could check it against.
#define PH_GUARDED_BY(mutex)
