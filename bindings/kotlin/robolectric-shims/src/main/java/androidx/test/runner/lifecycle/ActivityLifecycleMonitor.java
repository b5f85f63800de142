package androidx.test.runner.lifecycle;

import android.app.Activity;

/** Knows how far each activity is. */
public interface ActivityLifecycleMonitor {
    Stage getLifecycleStageOf(Activity activity);
}
