// Compiled only so that the precompiled headers have a target that owns them.
