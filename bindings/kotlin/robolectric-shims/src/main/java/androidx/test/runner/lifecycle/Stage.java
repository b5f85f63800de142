package androidx.test.runner.lifecycle;

/** The stage of an activity. The order matters: Robolectric compares ordinals. */
public enum Stage {
    PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED
}
