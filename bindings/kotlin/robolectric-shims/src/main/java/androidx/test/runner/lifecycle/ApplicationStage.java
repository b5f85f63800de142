package androidx.test.runner.lifecycle;

/** The stage of an application. */
public enum ApplicationStage {
    PRE_ON_CREATE, CREATED
}
