// NEVER RUN in this repository: see ../settings.gradle.kts.
plugins {
    id("com.android.application")
    kotlin("android")
}

android {
    namespace = "dev.compass.sample.app"
    compileSdk = 35
    defaultConfig {
        applicationId = "dev.compass.sample.app"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        // What android-build makes. Handhelds with 32-bit ARM want "armeabi-v7a", too.
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    sourceSets["main"].kotlin.srcDirs("src/main/kotlin")
    // Maven runs them, under Robolectric.
    sourceSets["test"].kotlin.setSrcDirs(emptyList<String>())
}

kotlin { compilerOptions { jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11 } }

dependencies { implementation(project(":state")) }
