package androidx.test.runner.intent;

import android.app.Instrumentation.ActivityResult;
import android.content.Intent;

/** Answers intents instead of an activity. */
public interface IntentStubber {
    ActivityResult getActivityResultForIntent(Intent intent);
}
